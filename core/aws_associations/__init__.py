"""Associations of two AWS things (a user and a permission group, say) as resources with a lifecycle.

This package knows no host: CloudFormation's Lambda and Pulumi's provider are thin layers over it. Start at
``lifecycle.py`` for what happens, at ``kinds/`` for what can be associated.
"""
