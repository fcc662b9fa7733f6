-- The naming strategy.
\pset null '(null)'

SELECT name, corm.underscore(name)
FROM unnest('{UserName,HTTPServer,userID,user_name,User,ID,OAuth2Token,a,A,"",user2Name,ABc,_Private,Étage}'::text[]) AS name;

SELECT name, corm.camelize(name) AS pascal, corm.camelize(name, false) AS camel
FROM unnest('{user_name,http_server,user_id,UserName,HTTPServer,ID,user,a,"",_private,__a__b__,type_,user_2,"two words",étage_haut,_}'::text[]) AS name;

SELECT corm.underscore(NULL), corm.camelize(NULL);

-- one is the inverse of the other for names of plain words
SELECT count(*) FILTER (WHERE corm.underscore(corm.camelize(name)) <> name) AS not_inverse,
	count(*) FILTER (WHERE corm.underscore(corm.camelize(name, false)) <> name) AS not_inverse_camel
FROM unnest('{id,user_id,created_at,very_long_column_name,ab_cd_ef}'::text[]) AS name;

-- no quadratic time, no overflow
SELECT length(corm.underscore(repeat('aB', 500000))), length(corm.camelize('a' || repeat('_', 1000000)));
