"""Data: what users pass in, as arrays that a model can be trained on; readers for file formats."""

from fusegrad.data.idx import read_idx

__all__ = ["read_idx"]
