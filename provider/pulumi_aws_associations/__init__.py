"""The Pulumi side: associations as dynamic resources. One module a service, for example ``finspace``.

Importing this package loads Pulumi and nothing of AWS's SDK: that is loaded in the provider's own process.
"""
