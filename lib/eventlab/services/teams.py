"""Who lives by the cart: the three services, and the cart team's own translator."""

from eventlab.services import orders, recommendations, stock, translator

SERVICES = {"orders": orders.TEAM, "stock": stock.TEAM, "recommendations": recommendations.TEAM}
TEAMS = {**SERVICES, "translator": translator.TEAM}
