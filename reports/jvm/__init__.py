"""The locked-down Java process: Jasper behind JSON lines on stdin and stdout. Nothing else imports jpype."""
