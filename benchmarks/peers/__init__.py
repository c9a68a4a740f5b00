"""The contestants, a module a library: every function takes the data of a case and does all of its work."""
