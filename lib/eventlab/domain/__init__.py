"""The two example domains, the cart and the account, as pure deciders."""
