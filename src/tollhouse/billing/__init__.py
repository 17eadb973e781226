"""The rules of money, pure: prices, charges, what a call can cost at most, budgets, holds.

Lives here: arithmetic on integer nano-USD and the invariants it keeps.
Does not live here: rows (`store/`), deeds of people (`office/`), the moment a call is charged (`gateway/`).
Who calls: gateway, office, store. Time comes in as an argument; nothing here is a float.
"""
