"""A fleet in virtual time, for hours or days, with every fault at random: what must hold, holds for every seed."""
