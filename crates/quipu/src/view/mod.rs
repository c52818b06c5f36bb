//! Rows and geometry ready to draw.
