"""The process engine: definitions, execution, decisions and the registries that diagrams call into."""
