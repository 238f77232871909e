FROM alpine
COPY <<one.txt <<'two.txt' <<-three.txt /d/
first
one.txt
second $x
two.txt
	third
	three.txt
