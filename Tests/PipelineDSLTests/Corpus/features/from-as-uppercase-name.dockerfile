FROM alpine AS Builder
COPY --from=BUILDER /a /b
