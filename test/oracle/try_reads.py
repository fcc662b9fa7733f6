import random, sys, time
from server import Session
from reads import Reads
seed=int(sys.argv[1]); n=int(sys.argv[2])
s=Session()
s.must("SET search_path = public, corm_ops")
rng=random.Random(seed); g=Reads(rng)
t=time.time(); steps=0; bad=0
import collections
seen=collections.Counter()
s.must("BEGIN")
for i in range(n):
    c=g.check()
    s.must("SAVEPOINT c")
    k,why=c.verify(s); steps+=k
    s.must("ROLLBACK TO c")
    if why:
        kind=type(c).__name__
        seen[kind]+=1
        if seen[kind]<=int(sys.argv[3]):
            # shrink
            progress=True
            while progress:
                progress=False
                for sm in c.smaller():
                    s.must("SAVEPOINT c"); k2,w2=sm.verify(s); s.must("ROLLBACK TO c")
                    if w2 and w2[:5]==why[:5]:
                        c=sm; why=w2; progress=True; break
            s.must("SAVEPOINT c"); t1=c.show(s); s.must("ROLLBACK TO c"); print(kind, why[:600]); print(t1[:2500]); print(flush=True)
        bad+=1
print(steps, bad, seen, time.time()-t)
