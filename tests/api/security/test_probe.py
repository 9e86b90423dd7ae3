import time, socket
import httpx, psycopg
from tests.api.conftest import *
from tests.api.test_serving import serving, wait_until_up
COPY="""insert into core.fct_order_lines select (jsonb_populate_record(l, jsonb_build_object('occurrence', n))).* from core.fct_order_lines l, generate_series(2, 15000) n"""
def test_x(accounts, golden, warehouse, postgres_server):
    with connect(warehouse.urls.owner) as c: c.execute(COPY)
    with serving(warehouse) as (process, address):
        wait_until_up(process, address)
        port=int(address.rsplit(":",1)[1])
        slow=[]
        for n in range(5):
            s=socket.create_connection(("127.0.0.1",port)); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); s.sendall(b"GET /api/v1/orders?format=csv HTTP/1.1\r\nHost: localhost\r\n\r\n"); s.recv(10); slow.append(s)
            time.sleep(6)
            for p in ("/healthz","/api/v1/revenue/total?region=x"+str(n)):
                t=time.time()
                try: print(n+1,p,httpx.get(address+p,timeout=8).status_code, round(time.time()-t,2))
                except Exception as e: print(n+1,p,repr(e))
            with connect(warehouse.urls.owner) as c: print(c.execute("select count(*), state from pg_stat_activity where application_name='tillhouse-api-reader' and datname=current_database() group by 2").fetchall())
        for s in slow: s.close()
        t=time.time()
        try: print("after",httpx.get(address+"/healthz",timeout=8).status_code, round(time.time()-t,2))
        except Exception as e: print("after",repr(e))
    print(process.stdout.read().decode()[-1500:])
