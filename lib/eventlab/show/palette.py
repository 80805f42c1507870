"""The colours of every picture: Okabe and Ito's, told apart by colour-blind readers too.

Source: Masataka Okabe and Kei Ito, *Color Universal Design* (2008), https://jfly.uni-koeln.de/color/.
Their yellow is left out (1.3 : 1 on white) and black is left to the theme of the page.
"""

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
# Kept for what is wrong (an inversion, a failure), and never the only sign of it.
VERMILLION = "#D55E00"

SERIES = (BLUE, ORANGE, GREEN, SKY, PURPLE)
