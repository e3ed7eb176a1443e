"""The steps of the published proof, one file each."""
