FROM alpine
ONBUILD COPY <<one <<-two /d/
1
one
	2
	two
