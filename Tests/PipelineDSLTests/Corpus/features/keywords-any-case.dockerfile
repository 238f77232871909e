FrOm alpine
rUn echo
eNv A=b
cmd x
