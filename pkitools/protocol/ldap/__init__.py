"""What stands inside LDAP answers of Active Directory: attribute values, filters, names, security descriptors."""
