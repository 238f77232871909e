# escape=`
FROM alpine
CMD ["C:\\x", `
     "y"]
