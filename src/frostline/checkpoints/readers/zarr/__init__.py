"""Zarr folders of both versions, and Orbax checkpoints, which are zarr in a folder or in a database."""
