"""Where a sweep's runs are computed: processes of this machine, SLURM jobs, a Dask cluster."""
