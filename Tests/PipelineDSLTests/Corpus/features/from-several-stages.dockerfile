FROM alpine AS one
FROM one AS two
FROM two
