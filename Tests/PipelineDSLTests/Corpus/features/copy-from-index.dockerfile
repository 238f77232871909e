FROM alpine
FROM alpine
COPY --from=0 /out /in
