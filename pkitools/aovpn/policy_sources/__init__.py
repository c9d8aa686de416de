"""Readers of IPsec policies: Windows' own outputs and files, strongSwan's and Libreswan's configurations and logs."""
