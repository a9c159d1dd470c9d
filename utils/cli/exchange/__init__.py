"""The flags of the scripts that bring data in, check it and take it out."""
