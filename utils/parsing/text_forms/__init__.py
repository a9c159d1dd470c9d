"""Text forms: answers without JSON, such as lists, tables and tagged text, as candidates."""
