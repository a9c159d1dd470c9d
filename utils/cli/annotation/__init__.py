"""The flags of s1 and s3, and the run that they describe."""
