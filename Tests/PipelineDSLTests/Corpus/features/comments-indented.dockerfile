FROM alpine
   # indented
	# tab
RUN echo
