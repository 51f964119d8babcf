"""The poster picture, from the letter up; `engine.drafting.picture` is its face.

faces      characters → widths          linebreak  text → lines          typeset  text → room
themes     YAML → colours and shapes    placed     what a layout is made of
grid       measures of each size        qr         payload → modules
sheet      one try at a story or square banner     one try at a banner
layout     tries → the best layout      ornament, motif   shapes and decoration → SVG
"""
