what an earlier build left as out.c
