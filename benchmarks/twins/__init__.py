"""Bare twins of the product: the same statements and answers without the product around them."""
