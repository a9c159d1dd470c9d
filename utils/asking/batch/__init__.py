"""Questions that are asked in batch files (--batch): what is written, read back, and sent to a batch service."""
