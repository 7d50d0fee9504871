"""The only folder that imports torch or fvcore: networks built, measured, saved."""
