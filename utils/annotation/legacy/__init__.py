"""Files of s1 and s3 that an earlier implementation wrote."""
