"""The scripts of letters, and simplified and traditional Chinese characters."""
