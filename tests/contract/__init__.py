"""The contract: types, checks, documents and clients made from them."""
