FROM alpine AS Builder
FROM alpine
COPY --from=BUILDER /a /b
