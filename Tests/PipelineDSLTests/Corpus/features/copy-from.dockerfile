FROM alpine AS build
FROM alpine
COPY --from=build /out /in
