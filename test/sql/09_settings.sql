-- a wrong setting is refused when it is set, with what would be right
ALTER SYSTEM SET qts.naver_url = 'http://polling.finance.naver.com';
ALTER SYSTEM SET qts.naver_url = 'http://127.0.0.1.example.com/';
ALTER SYSTEM SET qts.naver_url = 'ftp://localhost';
ALTER SYSTEM SET qts.naver_url = 'https://';
ALTER SYSTEM SET qts.naver_url = 'http://127.0.0.1:8080';
ALTER SYSTEM RESET qts.naver_url;
