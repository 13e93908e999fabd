"""HDF5 files and the archives of Keras around them."""
