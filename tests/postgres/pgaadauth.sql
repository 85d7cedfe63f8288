-- The functions by which Azure Database for PostgreSQL knows Entra principals, over a table: Azure's own extension is in no
-- package. Names, arguments and columns are those of the documentation. A principal that is dropped as a role is one no more.
CREATE SCHEMA pgaadauth;
REVOKE ALL ON SCHEMA pgaadauth FROM PUBLIC;
GRANT USAGE ON SCHEMA pgaadauth TO PUBLIC;

CREATE TABLE pgaadauth.labels (role oid PRIMARY KEY, objectid text NOT NULL, principaltype text NOT NULL, isadmin int NOT NULL, ismfa int NOT NULL);

CREATE FUNCTION pgaadauth.pgaadauth_list_principals(isadminvalue boolean)
RETURNS TABLE (rolname text, principaltype text, objectid text, tenantid text, ismfa int, isadmin int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT r.rolname::text, l.principaltype, l.objectid, '', l.ismfa, l.isadmin
      FROM pgaadauth.labels l JOIN pg_roles r ON r.oid = l.role WHERE NOT $1 OR l.isadmin = 1
$$;

CREATE FUNCTION pgaadauth.pgaadauth_create_principal_with_oid(rolename text, objectid text, objecttype text, isadmin boolean, ismfa boolean)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NOT pg_has_role(session_user, 'azure_pg_admin', 'MEMBER') THEN
        RAISE EXCEPTION 'permission denied to create principals' USING ERRCODE = '42501';
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN', rolename);
    INSERT INTO pgaadauth.labels SELECT oid, objectid, objecttype, isadmin::int, ismfa::int FROM pg_roles WHERE rolname = rolename;
    IF isadmin THEN EXECUTE format('GRANT azure_pg_admin TO %I', rolename); END IF;
    RETURN format('Created role for %s', rolename);
END
$$;
