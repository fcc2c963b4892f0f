"""What the function is measured against: Lambda handlers that do the work with nothing to spare, and no error in mind.

They run from a package of their own, with crhelper and FinSpace's service model beside them.
"""
