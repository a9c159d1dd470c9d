"""The backends: one module for each way to run a chat model; `llm.base.BackendModule` lists their functions."""
