"""Observe, plan, apply: from a registration that is wanted to a tenant that has it. No HTTP here."""
