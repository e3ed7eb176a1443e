"""Rendered scenes for dense prediction: furnished rooms and streets with exact depth, normals and classes.

They stand in for NYUv2 and CityScapes where nobody has those: rankings of methods may be read off them, scores may not
be compared with the paper's.

Bit-reproducible by construction: geometry, shading and sampling use only the sums, products, quotients and square roots
that IEEE 754 rounds correctly, element by element; no BLAS, no sines, no powers, no fused or reordered sums.
"""
