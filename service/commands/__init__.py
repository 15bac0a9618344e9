"""The commands of `diglot`, one module for each group; `service.cli` registers them."""
