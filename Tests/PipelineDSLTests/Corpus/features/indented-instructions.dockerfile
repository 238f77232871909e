   FROM alpine
	RUN echo
