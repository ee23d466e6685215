"""Levels, schedules and samplers a second time, in float64, from formulas: what tests compare with.

Written from the papers and from what is publicly known of the field's programs, without a look at
`diffusion/samplers` or `diffusion/schedules`, and importing nothing of them.
"""
