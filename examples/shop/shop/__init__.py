"""A small shop: people order, a provider takes the money, parcels are packed."""
