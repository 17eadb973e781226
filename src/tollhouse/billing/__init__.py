"""The rules of money, pure: prices, charges, what a call can cost at most, budgets, holds, the ledger, the bill.

Lives here: arithmetic on integer nano-USD and the invariants it keeps. A price row (`prices`) in a list (`price_list`)
makes a charge (`charges`), is bounded before the call (`bounds`) and compared with its cost (`margin`). Budgets
(`budgets`) bind in windows (`windows`); what pays is a counter (`counters`), held and settled by the book (`book`). The
ledger's rules (`ledger`), what is left of each grant (`credit`), and what balance tools read (`subscription`, `span`).
Does not live here: rows (`store/`), what people do (`services/`), the moment a call is charged (`gateway/`).
Who calls: gateway, services, store. Time comes in as an argument; nothing here is a float.
"""
