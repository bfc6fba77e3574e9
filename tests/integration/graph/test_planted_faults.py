"""A rule of visibility left out of any kind of source is noticed by the differential test."""
