# first stage
FROM alpine AS a

# second stage
FROM alpine
