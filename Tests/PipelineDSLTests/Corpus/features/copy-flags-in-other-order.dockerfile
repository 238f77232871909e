FROM alpine AS s
FROM alpine
COPY --exclude=x --link --chmod=0644 --from=s a /c/
