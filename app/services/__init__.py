"""The use cases: a module per feature, a method per use case, a visible transaction in each. No HTTP, no SQL."""
