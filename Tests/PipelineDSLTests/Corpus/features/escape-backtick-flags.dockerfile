# escape=`
FROM alpine
COPY --chown="a b" a /b
COPY --exclude=x\ y a /b
