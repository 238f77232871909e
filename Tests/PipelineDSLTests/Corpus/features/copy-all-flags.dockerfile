FROM alpine AS s
FROM alpine
COPY --from=s --chown=a:b --chmod=0644 --link --parents --exclude=x a b /c/
